"""The laboratory: training, testing and exporting models (needs the ``lab`` extra)."""


class LabError(Exception):
    """Something a researcher can mend: the message says what and how."""
