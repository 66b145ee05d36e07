"""Build the frozen types from checked documents. Call these functions only on documents without findings."""

from datetime import time
from decimal import Decimal

from sluice.agreement.contract.columns import contract_id, custom, drafts, field_role
from sluice.agreement.contract.key_references import key_references
from sluice.agreement.contract.latency import latencies
from sluice.agreement.contract.quality import quality_rules
from sluice.agreement.document import Document, Spot
from sluice.agreement.free_text import careful_actions
from sluice.agreement.limits import LIMITS, GateLimits
from sluice.agreement.model import (
    Agreement,
    ArrivalRules,
    DataContract,
    DeliveryRules,
    ErasureRules,
    FileFormat,
    FreeTextRules,
    PgpKey,
    Purpose,
    RetentionRule,
    ReturnRecipe,
    RoleRow,
    SubProcessor,
)
from sluice.terms import Direction, FieldGroup, Flow, Principal, RoleProfile, ScreenAction, ScreenClass

DEFAULT_REFUSED_SHARE = 0.1


def build_agreement(document: Document) -> Agreement:
    """The agreement a document describes."""
    root = document.root
    controller = next(iter(root["parties"]["controllers"]))
    duties = root["duties"]
    return Agreement(
        agreement_id=root["agreementId"].value,
        version=root["version"].value,
        supersedes=root["supersedes"].value,
        principal=Principal(controller["code"].value),
        principal_name=controller["name"].value,
        language=root["language"].value,
        valid_from=root["validFrom"].value,
        valid_to=root["validTo"].value,
        purposes=tuple(_purpose(spot) for spot in root["processing"]["purposes"]),
        retention_rules=tuple(_retention(spot) for spot in root["retentionRules"]),
        role_rows=tuple(_role_row(spot) for spot in root["roleProfiles"]),
        sub_processors=tuple(_sub_processor(spot) for spot in root["subProcessors"]["list"]),
        recipients=tuple(root["recipients"].value),
        special_categories=root["processing"]["sensitiveData"]["present"].value,
        transfers_outside_eea=duties["a_instructions"]["transfersOutsideEea"].value,
        end_choice=duties["g_end"]["choice"].value,
        end_days=duties["g_end"]["days"].value,
        forward_hours=duties["e_rights"]["forwardHours"].value,
        may_answer=dict(duties["e_rights"]["mayAnswer"].value),
        seed_owner_sign_off=root["seedOwner"]["signOff"].value,
        seed_owner_reverse_ref=root["seedOwner"]["reverseArt28Ref"].value,
        joint_arrangement_ref=root["jointArrangementRef"].value,
        sha256=document.sha256,
        path=document.path,
        data_categories=tuple(root["processing"]["dataCategories"].value),
        minimum_exam_score=Decimal(str(duties["b_confidentiality"]["minimumExamScore"].value)),
        free_text=_free_text(root["freeText"]),
        delivery=_delivery(root["delivery"]),
        arrival=_arrival(root["arrival"]),
        erasure=ErasureRules(root["erasure"]["twoPersonRelease"].value is not False),
        limits=GateLimits(**{limit.name: root["limits"][limit.key].value for limit in LIMITS}),
        contact_email=controller["contact"]["email"].text,
        seed_owner_signatures=2 if root["seedOwner"]["twoPersonSignOff"].value is True else 1,
    )


def _free_text(spot: Spot) -> FreeTextRules:
    said = spot["actions"].value or {}
    actions = {ScreenClass(word): ScreenAction(action) for word, action in said.items() if action}
    return FreeTextRules(careful_actions(actions), float(spot["sampleShare"].value or 0))


def _delivery(spot: Spot) -> DeliveryRules:
    if not spot.is_given:
        return DeliveryRules()
    key, usual = spot["pgpKey"], DeliveryRules()
    return DeliveryRules(
        cut_off=time.fromisoformat(spot["cutOff"].value),
        two_person_release=spot["twoPersonRelease"].value is True,
        release_when_ready_later=spot["releaseWhenReadyLater"].value is True,
        acknowledge_hours=spot["acknowledgeHours"].value or usual.acknowledge_hours,
        escalate_hours=spot["escalateHours"].value or usual.escalate_hours,
        country=spot["country"].value or usual.country,
        transfer_basis=spot["transferBasis"].value,
        pgp=_pgp_key(key),
    )


def _arrival(spot: Spot) -> ArrivalRules:
    return ArrivalRules(
        pgp=_pgp_key(spot["pgpKey"]),
        must_be_signed=spot["mustBeSigned"].value is not False,
        must_be_encrypted=spot["mustBeEncrypted"].value is True,
    )


def _pgp_key(spot: Spot) -> PgpKey | None:
    return PgpKey(spot["file"].value, spot["fingerprint"].value) if spot.is_given else None


def _purpose(spot: Spot) -> Purpose:
    return Purpose(
        code=spot["code"].value,
        iri=spot["iri"].value,
        text=dict(spot["text"].value),
        legal_basis=spot["legalBasis"].value,
        basis_holder=spot["basisHolder"].value,
        channels=tuple(spot["channels"].value or ()),
    )


def _retention(spot: Spot) -> RetentionRule:
    return RetentionRule(spot["code"].value, spot["startEvent"].value, spot["duration"].value, spot["statute"].value)


def _role_row(spot: Spot) -> RoleRow:
    return RoleRow(
        Direction(spot["direction"].value),
        FieldGroup(spot["fieldGroup"].value),
        RoleProfile(spot["roleProfile"].value),
        spot["retentionRule"].value,
        spot["portable"].value,
    )


def _sub_processor(spot: Spot) -> SubProcessor:
    return SubProcessor(
        spot["name"].value,
        tuple(spot["countries"].value),
        spot["transferBasis"].value,
        spot["validFrom"].value,
        spot["validTo"].value,
    )


def build_contract(document: Document, agreement: Agreement) -> DataContract:
    """The contract a document describes under ``agreement``."""
    root, answers = document.root, custom(document.root)
    principal, direction, flow = contract_id(document)
    file_format = build_file_format(document)
    share, suites, start = (answers.get(name) for name in ("maxRefusedShare", "expectationSuites", "validFrom"))
    return DataContract(
        contract_id=root["id"].value,
        version=root["version"].value,
        status=root["status"].value,
        principal=Principal(principal),
        direction=Direction(direction),
        flow=Flow(flow),
        agreement_id=answers["agreementId"].value,
        agreement_version=answers["agreementVersion"].value,
        file_format=file_format,
        fields=tuple(field_role(draft, file_format.date_format) for draft in drafts(document, agreement)),
        quality=quality_rules(document),
        suites=tuple(suites.value or ()) if suites else (),
        max_refused_share=float(share.value) if share and share.is_given else DEFAULT_REFUSED_SHARE,
        sha256=document.sha256,
        path=document.path,
        valid_from=start.day if start else None,
        result_mapping=answers["resultMapping"].text if "resultMapping" in answers else None,
        latencies=latencies(document),
        references=key_references(document),
        recipe=_recipe(answers) if "contactsFlow" in answers else None,
    )


def _recipe(answers: dict[str, Spot]) -> ReturnRecipe:
    campaigns = answers.get("campaigns")
    return ReturnRecipe(
        contacts_flow=Flow(str(answers["contactsFlow"].text)),
        results_flow=Flow(str(answers["resultsFlow"].text)),
        record_id=str(answers["recordId"].text),
        campaigns=tuple(campaigns.value or ()) if campaigns else (),
    )


def build_file_format(document: Document) -> FileFormat:
    """What the contract's one server says about the file."""
    server = next(iter(document.root["servers"]))
    said = {name: spot.value for name, spot in custom(server).items()}
    return FileFormat(
        format=server["format"].value,
        delimiter=server["delimiter"].value,
        encoding=said.get("encoding"),
        decimal_comma=said.get("decimalComma") is True,
        date_format=said.get("dateFormat"),
        region=said.get("region") or "BE",
        sheet=said.get("sheet"),
        pattern=str(server["location"].value).rpartition("/")[2],
    )
