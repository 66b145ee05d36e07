"""The terms of the Data Privacy Vocabulary 2.3 that Sluice understands, by kind.

A closed list: an IRI that is not here is refused, because a purpose or category that nobody can
read proves nothing. DPV: https://w3id.org/dpv/2.3 (W3C Data Privacy Vocabularies and Controls CG).
"""

DPV = "https://w3id.org/dpv#"
PD = "https://w3id.org/dpv/pd#"
GDPR = "https://w3id.org/dpv/legal/eu/gdpr#"


def _iris(prefix: str, names: str) -> frozenset[str]:
    return frozenset(prefix + name for name in names.split())


PURPOSES = _iris(
    DPV,
    """
    AccountManagement Advertising AgeVerification CommercialResearch CommunicationForCustomerCare
    CommunicationManagement CustomerCare CustomerClaimsManagement CustomerManagement
    CustomerOrderManagement CustomerRelationshipManagement CustomerSolvencyMonitoring DeliveryOfGoods
    DirectMarketing DisputeManagement EnforceAccessControl EnforceSecurity
    EstablishContractualAgreement FraudPreventionAndDetection FulfilmentOfContractualObligation
    FulfilmentOfObligation HumanResourceManagement IdentityAuthentication IdentityVerification
    ImproveExistingProductsAndServices ImprovePublicServices LegalCompliance Marketing
    OrganisationComplianceManagement PaymentManagement PersonalisedAdvertising PersonnelManagement
    PersonnelMonitoring PersonnelPerformanceEvaluation PersonnelPerformanceManagement
    PersonnelWorkloadManagement ProvideOfficialStatistics PublicBenefit RecordManagement
    RequestedServiceProvision RightsFulfilment SellProducts SellProductsToDataSubject
    ServiceManagement ServiceMonitoring ServiceOptimisation ServiceProvision ServiceRegistration
    TargetedAdvertising TechnicalServiceProvision Verification
    """,
)

LEGAL_BASES = _iris(GDPR, "A6-1-a A6-1-b A6-1-c A6-1-d A6-1-e A6-1-f")
SPECIAL_CONDITIONS = _iris(GDPR, "A9-2-a A9-2-b A9-2-c A9-2-d A9-2-e A9-2-f A9-2-g A9-2-h A9-2-i A9-2-j")
TRANSFER_BASES = _iris(
    GDPR,
    """
    A45-3 A46-2-a A46-2-b A46-2-c A46-2-d A46-2-e A46-2-f A46-3-a A46-3-b
    A49-1-a A49-1-b A49-1-c A49-1-d A49-1-e A49-1-f A49-1-g
    """,
)

PORTABLE_BASES = _iris(GDPR, "A6-1-a A6-1-b")
"""Bases under which a person may take data along (GDPR Art. 20(1)(a))."""

PROCESSING = _iris(
    DPV,
    """
    Access Adapt Aggregate Align Alter Analyse Anonymise Assess Collect Combine Consult Copy Delete
    Derive Destruct Disclose DiscloseByTransmission Display Disseminate Download Erase Export Filter
    Format Generate MakeAvailable Match Modify Monitor Move Observe Obtain Organise Pseudonymise
    Query Record Reformat Remove Restrict Retrieve Screen Share Store Structure Transfer Transform
    Transmit Use
    """,
)

SUBJECT_CATEGORIES = _iris(
    DPV,
    """
    Adult Applicant Child Citizen Client Consumer Customer DataSubject ElderlyDataSubject Employee
    GuardianOfDataSubject JobApplicant Member ParentOfDataSubject Participant Patient Student
    Subscriber User Visitor VulnerableDataSubject
    """,
)

NON_PERSONAL = DPV + "NonPersonalData"

ORDINARY_CATEGORIES = _iris(
    PD,
    """
    AccountIdentifier Age AgeExact AgeRange ApartmentOwned Authenticating BankAccount Behavioural
    BirthCountry BirthDate BirthPlace BrowsingBehaviour CallLog CarOwned Character Citizenship City
    Communication CommunicationsMetadata Contact Country Credit CreditCapacity CreditCardNumber
    CreditRecord CreditScore CreditStanding CreditWorthiness CurrentEmployment CurrentLocation
    Demographic DeviceBased DeviceOperatingSystem DeviceSoftware DisciplinaryAction Domicile
    Education EducationExperience EducationQualification EmailAddress EmailAddressPersonal
    EmailAddressWork EmailContent EmploymentHistory Family FamilyStructure Favourite Financial
    FinancialAccount FinancialAccountNumber FinancialStatus GPSCoordinate Gender Geographic
    GroupMembership HomeLocation HouseNumber HouseOwned Household IPAddress Identifier Identifying
    Income IncomeBracket Insurance Intention Interaction Interest Job Language Like Dislike LinkClicked
    LoanRecord Locality Location MACAddress MaritalStatus Marriage Name Nationality OfficialID
    Offspring Opinion Ownership PINCode Parent Passport Password PastEmployment PaymentCard
    PaymentCardExpiry PaymentCardNumber PerformanceAtWork PersonalPossession PhysicalAddress
    PhysicalCharacteristic PostalCode Preference PrivacyPreference Professional
    ProfessionalCertification ProfessionalEvaluation ProfessionalExperience ProfessionalTraining
    Profile Purchase PurchasesAndSpendingHabit Reference Region Relationship Reliability Residency
    RoomNumber Salary Sale School ServiceConsumptionBehaviour Social SocialStatus Street
    TVViewingBehaviour Tax TelephoneNumber Transaction Transactional UID UserAgent Username
    VehicalLicenseNumber VehicalLicenseRegistration Vehicle VehicleUsage VoiceCommunicationRecording
    VoiceMail Vulnerability WorkEnvironment WorkExperience WorkHistory WorkLocation
    """,
)

SPECIAL_CATEGORIES = _iris(
    PD,
    """
    Biometric BloodType DNACode Disability DrugTestResult EthnicOrigin Ethnicity FacialPrint
    FamilyHealthHistory Fingerprint Genetic Health HealthHistory HealthRecord
    IndividualHealthHistory MedicalHealth MentalHealth PhilosophicalBelief PhysicalHealth
    PoliticalAffiliation PoliticalOpinion Prescription Race Religion ReligiousBelief Retina Sexual
    SexualHistory SexualPreference TradeUnionMembership
    """,
)
"""Categories of GDPR Art. 9(1)."""

CRIMINAL_CATEGORIES = _iris(PD, "Criminal CriminalCharge CriminalConviction CriminalOffence CriminalPardon")
"""Categories of GDPR Art. 10; treated as special."""

EMOTION_CATEGORIES = _iris(PD, "Emotion Mood FacialExpression Demeanour Attitude")
"""Categories that are listed only so that they can be refused for agents (AI Act Art. 5(1)(f))."""

DATA_CATEGORIES = ORDINARY_CATEGORIES | SPECIAL_CATEGORIES | CRIMINAL_CATEGORIES | EMOTION_CATEGORIES | {NON_PERSONAL}

CONTACT_POINTS = {
    **dict.fromkeys(("voice", "sms", "robocall"), PD + "TelephoneNumber"),
    "email": PD + "EmailAddress",
    "letter": PD + "PhysicalAddress",
    **dict.fromkeys(("chat", "push"), PD + "Contact"),
}
"""The category of data by which a person is reached over each channel that an agreement can name."""


def short(iri: str) -> str:
    """The name of a term without its prefix: ``DirectMarketing``, ``A6-1-f``."""
    return iri.rpartition("#")[2]
