"""Names of data sets on the Hugging Face hub, told from paths."""

import re

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_FILE_ENDINGS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".tab", ".parquet", ".txt", ".gz", ".zip", ".xlsx")


def is_dataset_id(name: str) -> bool:
    """Whether a name reads `owner/name` and not like a file. A path that exists goes before: ask about that first."""
    return _ID.fullmatch(name) is not None and not name.lower().endswith(_FILE_ENDINGS)
