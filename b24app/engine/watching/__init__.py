"""What operators watch and mend: the doctor, alarms, figures, upkeep."""
