"""The application's pages. Streamlit runs this file for every view; who may see which page is decided here."""

import streamlit as st

from reports import markup

st.set_page_config(page_title="harness", layout="wide")
page = st.navigation(
    [
        st.Page("views/leaderboard.py", title="Leaderboard", url_path="leaderboard", default=True),
        st.Page("views/run.py", title="Run", url_path="run"),
        st.Page("views/comparison.py", title="Comparison", url_path="comparison"),
        st.Page("views/gate.py", title="Gate", url_path="gate"),
    ],
    position="top",
)
markup.style()
with st.container(gap="xsmall"):
    page.run()
