"""The web app's entry: starts simulator.web, nothing else."""

import streamlit as st

from simulator.web import server, timers

app = st.App(server.SCRIPT, lifespan=server.lifespan, middleware=timers.MIDDLEWARE)
