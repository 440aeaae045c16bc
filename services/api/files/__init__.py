"""A competition as one file: read and checked, compared with what is stored, applied, written out, and its versions."""
