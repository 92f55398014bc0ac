"""A university's sign-in, by OpenID Connect's code flow: what is asked, and what is believed."""
