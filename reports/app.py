"""The application's pages. Streamlit runs this file for every view; who may see which page is decided here."""

import streamlit as st

from harness.errors import LinkError
from reports import markup, visiting

st.set_page_config(page_title="harness", layout="wide")
try:
    role = visiting.visitor().role
except LinkError as refused:
    markup.style()
    markup.warn("This link opens nothing", str(refused))
    st.stop()
if role == "owner":
    page = st.navigation(
        [
            st.Page("views/leaderboard.py", title="Leaderboard", url_path="leaderboard", default=True),
            st.Page("views/run.py", title="Run", url_path="run"),
            st.Page("views/comparison.py", title="Comparison", url_path="comparison"),
            st.Page("views/gate.py", title="Gate", url_path="gate"),
            st.Page("views/campaigns.py", title="Campaigns", url_path="campaigns"),
        ],
        position="top",
    )
else:
    # A page that is not registered cannot be reached, by whatever name or hash somebody asks for it.
    page = st.navigation([st.Page("views/rate.py", title="Rate", url_path="rate", default=True)], position="hidden")
markup.style()
with st.container(gap="xsmall"):
    page.run()
