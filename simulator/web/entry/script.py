"""What Streamlit runs for every visitor and every change: the router."""

from simulator.web.app import run

run()
