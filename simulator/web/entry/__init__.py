"""What Streamlit runs; in a folder without pages, which it would take for an app of its own."""
