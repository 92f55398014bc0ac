"""What the pages of the desk show and do, by what people come for; `desk.pages` lists them all."""
