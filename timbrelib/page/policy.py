"""A Content-Security-Policy that lets the page use itself and nothing else."""

import base64
import hashlib


def content_policy(script: str, style: str) -> str:
    """Write the policy of a page with one inline script and one inline style.

    The worklet of the instrument is a ``data:`` URL, because a page that is opened from disk may
    load none of another kind.  Nothing may be fetched; models come as scripts.

    Parameters
    ----------
    script, style : str
        The exact text between the tags.

    Returns
    -------
    str
        For a meta element.
    """
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' data: '{_digest(script)}'",
            f"style-src '{_digest(style)}'",
            "img-src 'self' data:",
            "media-src 'self'",
            "connect-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
