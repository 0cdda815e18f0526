"""`lapsewatch profile new`: writes the two files of a profile, to be changed into one's own."""

import argparse
import re
from pathlib import Path

from lapsewatch.commands.exit_codes import OK, BadInput
from lapsewatch.core.errors import SetupError
from lapsewatch.user_databases.profile import PROFILES_FOLDER

SKELETON = PROFILES_FOLDER / "skeleton"


def run(arguments: argparse.Namespace) -> int:
    """Write the files into a new folder of that name. What is there already is left as it is."""
    name = arguments.name
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise BadInput("a profile's name is made of lower-case letters, digits and _, and begins with a letter")
    folder = Path(arguments.folder or PROFILES_FOLDER) / name
    try:
        folder.mkdir(parents=True)
        for skeleton in sorted((SKELETON / arguments.dialect).iterdir()):
            file = folder / skeleton.name
            file.write_text(skeleton.read_text().replace("NAME", name))
            print(f"Written: {file}")
    except FileExistsError:
        raise BadInput(f"there is a {folder} already: nothing was written") from None
    except OSError as error:
        raise SetupError(f"{folder} can't be written: {error.strerror}") from None
    print("docs/adding-a-profile.md says what comes next.")
    return OK
