"""The student release (week*/, generated) and the bench that its notebooks work at (course.lab)."""
