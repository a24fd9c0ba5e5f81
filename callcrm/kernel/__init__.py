"""What every part of callcrm stands on."""
