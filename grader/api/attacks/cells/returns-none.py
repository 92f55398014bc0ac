# /// attack
# kind = "Nothing is computed"
# what = "functions that return None"
# needs = []
# ///

_replace(lambda *args: None)
