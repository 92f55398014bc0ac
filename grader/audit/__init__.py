"""Would a suite tell a wrong notebook from a right one, and would it ever punish a right one?"""
