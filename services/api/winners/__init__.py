"""What follows a published final: finalists, decisions on them, their code, and runs that verify them."""
