"""Which fields CRM objects have: names of the universal methods, their types, their legacy names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

LEAD, DEAL, CONTACT, COMPANY = 1, 2, 3, 4
SHORT = {LEAD: "L", DEAL: "D", CONTACT: "C", COMPANY: "CO"}
NAMES = {LEAD: "LEAD", DEAL: "DEAL", CONTACT: "CONTACT", COMPANY: "COMPANY"}
TITLES = {LEAD: "Лид", DEAL: "Сделка", CONTACT: "Контакт", COMPANY: "Компания"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field: ``name`` of the universal methods, ``upper`` of the legacy ones."""

    name: str
    type: str
    upper: str
    read_only: bool = False
    multiple: bool = False
    title: str = ""
    required: bool = False
    user_field: bool = False


_TIMES = (
    "createdTime:datetime:r updatedTime:datetime:r createdBy:user:r updatedBy:user:r "
    "lastActivityTime:datetime:r lastActivityBy:user:r assignedById:user opened:boolean "
)
_STAGED = "stageId:crm_status stageSemanticId:string:r movedTime:datetime:r movedBy:user:r "
_CLIENT = "companyId:crm_company contactId:crm_contact contactIds:crm_contact:m observers:user:m "
_MONEY = "currencyId:crm_currency isManualOpportunity:boolean opportunity:double "
_UTM = "utmSource:string utmMedium:string utmCampaign:string utmContent:string utmTerm:string "
_SOURCE = "sourceId:crm_status sourceDescription:text "
_ORIGIN = "originatorId:string originId:string "
_PERSON = "honorific:crm_status name:string secondName:string lastName:string birthdate:date post:string "

SPECS = {
    LEAD: "id:integer:r title:string isReturnCustomer:boolean:r companyTitle:string statusDescription:text "
    "comments:text webformId:integer fm:crm_multifield:m "
    + _TIMES
    + _STAGED
    + _CLIENT
    + _MONEY
    + _UTM
    + _SOURCE
    + _ORIGIN
    + _PERSON,
    DEAL: "id:integer:r title:string typeId:crm_status categoryId:crm_category closed:boolean:r "
    "isNew:boolean:r isRecurring:boolean isReturnCustomer:boolean:r isRepeatedApproach:boolean:r "
    "probability:integer begindate:date closedate:date comments:text leadId:crm_lead quoteId:crm_quote "
    "additionalInfo:string locationId:location taxValue:double "
    + _TIMES
    + _STAGED
    + _CLIENT
    + _MONEY
    + _UTM
    + _SOURCE
    + _ORIGIN,
    CONTACT: "id:integer:r typeId:crm_status comments:text photo:file export:boolean companyId:crm_company "
    "companyIds:crm_company:m leadId:crm_lead originVersion:string observers:user:m fm:crm_multifield:m "
    + _TIMES
    + _UTM
    + _SOURCE
    + _ORIGIN
    + _PERSON,
    COMPANY: "id:integer:r title:string typeId:crm_status industry:crm_status employees:crm_status "
    "currencyId:crm_currency revenue:double comments:text isMyCompany:boolean logo:file "
    "bankingDetails:string contactIds:crm_contact:m leadId:crm_lead originVersion:string observers:user:m "
    "fm:crm_multifield:m " + _TIMES + _UTM + _ORIGIN,
}
DYNAMIC = (
    "id:integer:r title:string xmlId:string categoryId:crm_category begindate:date closedate:date "
    "webformId:integer mycompanyId:crm_company taxValue:double previousStageId:crm_status:r "
    + _TIMES
    + _STAGED
    + _CLIENT
    + _MONEY
    + _SOURCE
)

_LEGACY = {
    "createdTime": "DATE_CREATE",
    "updatedTime": "DATE_MODIFY",
    "createdBy": "CREATED_BY_ID",
    "updatedBy": "MODIFY_BY_ID",
    "movedBy": "MOVED_BY_ID",
}
_LEGACY_LEAD = {**_LEGACY, "stageId": "STATUS_ID", "stageSemanticId": "STATUS_SEMANTIC_ID"}


def upper_snake(name: str) -> str:
    """Turn ``assignedById`` into ``ASSIGNED_BY_ID``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


def camel(upper: str) -> str:
    """Turn ``ASSIGNED_BY_ID`` into ``assignedById``."""
    head, *rest = upper.lower().split("_")
    return head + "".join(part.capitalize() for part in rest)


def system_fields(entity_type_id: int) -> dict[str, Field]:
    """Give the built-in fields of an object type."""
    return dict(_system_fields(entity_type_id))


@cache
def _system_fields(entity_type_id: int) -> dict[str, Field]:
    legacy = _LEGACY_LEAD if entity_type_id == LEAD else _LEGACY if entity_type_id in SPECS else {}
    fields = {}
    for spec in SPECS.get(entity_type_id, DYNAMIC).split():
        name, kind, *flags = spec.split(":")
        upper = legacy.get(name) or upper_snake(name)
        fields[name] = Field(name, kind, upper, "r" in flags, "m" in flags, title=upper)
    return fields


def short_uf_name(original: str, *, dynamic: bool) -> str:
    """Give the name a user field has without ``useOriginalUfNames`` (crm/universal/index.md)."""
    rest = original.removeprefix("UF_CRM_")
    number, _, tail = rest.partition("_")
    if dynamic and number.isdigit() and tail:
        if tail.isdigit():
            return f"ufCrm{number}_{tail}"
        if not any(letter.isdigit() for letter in tail):
            words = "".join(part.capitalize() for part in tail.split("_"))
            return f"ufCrm{number}{words}"
    return f"ufCrm_{rest}"
