"""What stands on a page."""

from streamlit.testing.v1 import AppTest


def words(page: AppTest) -> str:
    """All that is written on it, as it is read: without the signs that keep Markdown from reading it."""
    kinds = (page.title, page.subheader, page.markdown, page.caption, page.info, page.success, page.error, page.warning)
    written = [entry.value for kind in kinds for entry in kind] + [bar.proto.text for bar in page.get("progress")]
    return "\n".join(written).replace("\\", "")
