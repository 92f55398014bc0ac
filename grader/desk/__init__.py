"""The desk: a web server on a course directory, where students hand in and staff run the course.

Whatever it does is a function of `grader.api`, and whatever it shows is in the gradebook; the
command line keeps working beside it, on the same record. It adds no rule about marks.
"""
