"""What the page "Tempo & tariffs" shows: the season's calendar, the hours of a day, what applies, and the prices."""
