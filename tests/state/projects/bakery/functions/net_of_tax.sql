price / 1.07
