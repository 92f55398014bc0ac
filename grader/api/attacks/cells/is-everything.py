# /// attack
# kind = "Objects that lie"
# what = "one object in place of every function and class"
# needs = ["liar"]
# ///

for _name in _NAMES:
    globals()[_name] = Liar()
