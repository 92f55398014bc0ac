WHOSE = "the student's"
