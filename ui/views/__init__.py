"""One file a page, run as a script by Streamlit, which would serve a folder named ``pages`` unasked."""
