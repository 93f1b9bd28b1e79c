"""What is kept between runs: taken where it is right, made anew where anything that it rests on has changed."""
