"""One module a page; each draws itself when Streamlit runs it."""
