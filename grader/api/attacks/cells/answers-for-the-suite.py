# /// attack
# kind = "Patched libraries"
# what = "True in place of what a function of the suite finds out in the box"
# needs = ["suite"]
# ///

_decide_for_the_suite("True")
_replace(lambda *args: True)
