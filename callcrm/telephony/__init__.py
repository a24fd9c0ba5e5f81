"""The PBX as the CRM sees it: neutral signals in, commands out."""
