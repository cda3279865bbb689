# SPDX-License-Identifier: Apache-2.0
"""Files that are written once: of any number of processes, one creates the file."""

import os
import uuid
from pathlib import Path


def create(file: Path, text: str) -> bool:
    """Creates a file with its content in one step; False if it exists already."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{uuid.uuid4().hex}.tmp")
    temporary.write_text(text, encoding="utf-8")
    try:
        os.link(temporary, file)  # fails if the file exists, on NFS as well
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links: readers may meet half of the text
        try:
            with file.open("x", encoding="utf-8") as stream:
                stream.write(text)
        except FileExistsError:
            return False
    finally:
        temporary.unlink(missing_ok=True)
    return True
