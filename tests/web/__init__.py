"""Pages without a browser: `APP` is what Streamlit runs for every visitor."""

from pathlib import Path

APP = str(Path(__file__).parents[2] / "simulator" / "web" / "entry" / "script.py")
