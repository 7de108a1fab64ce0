"""The Streamlit application: thin pages over the ledger. `server.py` starts it, `app.py` lists its pages."""
