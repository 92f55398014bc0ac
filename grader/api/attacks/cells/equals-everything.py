# /// attack
# kind = "Objects that lie"
# what = "objects that equal everything and have every attribute"
# needs = ["liar"]
# ///

_replace(lambda *args: Liar())
