"""An own reading of draft-pantos-hls-rfc8216bis-22: what must hold of playlists, of a playlist that
is reloaded, of playlists that belong together and of the files behind them.

Each rule has a name and the clause it comes from, and complains by both. It shares no code with the
product.
"""

from .complaint import Complaint, Rule
from .files import FILE_RULES, Files, check_files
from .multivariant import MULTIVARIANT_RULES, check_multivariant
from .playlist import MediaPlaylist, Multivariant
from .reloads import RELOAD_RULES, Reloads
from .single import MEDIA_RULES, check_media
from .together import TOGETHER_RULES, check_together

__all__ = [
    "FILE_RULES",
    "MEDIA_RULES",
    "MULTIVARIANT_RULES",
    "RELOAD_RULES",
    "TOGETHER_RULES",
    "Complaint",
    "Files",
    "MediaPlaylist",
    "Multivariant",
    "Reloads",
    "Rule",
    "check_files",
    "check_media",
    "check_multivariant",
    "check_together",
]
