"""What the demo's cards hold besides names and numbers: fields of the house's own, consents, mails, a double."""

from collections.abc import Sequence

from callcrm.accounts.policy import Actor
from callcrm.clients import consents, definitions, editing, notes
from callcrm.demo.story import COUNTRY
from callcrm.kernel.writer import Unit
from callcrm.settings import ClientSettings

FIELDS = (
    {"what": "client", "kind": "text", "label": "Customer no.", "help": "As on the invoice."},
    {"what": "client", "kind": "choice", "label": "Price group", "choices": ["Retail", "Dealer A", "Dealer B"]},
    {"what": "client", "kind": "flag", "label": "Catalogue by post"},
    {"what": "organisation", "kind": "number", "label": "Discount, %"},
    {"what": "organisation", "kind": "date", "label": "Customer since"},
)


async def furnish(unit: Unit, boss: Actor, clients: Sequence[int], companies: Sequence[int]) -> None:
    """Fill in the first cards of the demo, and open a second one of the first client."""
    admin = Actor(boss.user_id, boss.name, "admin", via="command")
    for typed in FIELDS:
        await definitions.define(unit, admin, typed)
    anna, clara = clients[0], clients[2]
    custom = {"customer_no": "KA-20418", "price_group": "Dealer B"}
    more: dict[str, object] = {"emails": ["a.kovaleva@romashka.example", "anna@home.example"], "custom": custom}
    await editing.edit_client(
        unit, boss, anna, more | {"birthday": "1984-03-08", "language": "ru", "addresses": ["Садовая улица 12"]}, 1
    )
    away = {"language": "de", "time_zone": "Europe/Berlin", "custom": {"price_group": "Retail"}}
    await editing.edit_client(unit, boss, clara, away, 1)
    house = {"custom": {"discount": "12", "customer_since": "2019-02-01"}, "emails": ["office@romashka.example"]}
    await editing.edit_organisation(unit, boss, companies[0], house, 1)
    recording, offers = ClientSettings().consents[:2]
    for purpose, how in ((recording, "by phone"), (offers, "in writing")):
        given = await consents.give(unit, boss, anna, {"purpose": purpose, "how": how}, (recording, offers))
    await consents.withdraw(unit, boss, anna, given, "by phone")
    await notes.add(unit, boss, "Asked for samples of the new benches.", client_id=anna)
    double = {"name": "А. Ковалёва", "emails": ["anna@home.example"]}
    await editing.add_client(unit, boss, double, ("+7 985 111-20-30",), country=COUNTRY)
