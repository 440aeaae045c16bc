"""What the scorer does for finals: teams are entered, previews and progress counted, joint boards computed."""
