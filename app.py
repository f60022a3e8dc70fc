"""The web app's entry: starts simulator.web, nothing else."""

import streamlit as st

from simulator.web import leaving, server

app = st.App(server.SCRIPT, lifespan=server.lifespan, middleware=leaving.MIDDLEWARE)
