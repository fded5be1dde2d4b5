"""Facts of FHIR R4 this reader needs: names of resource types, and which of their elements are a choice of types."""

RESOURCE_TYPES = frozenset(
    """
    Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment AppointmentResponse AuditEvent Basic
    Binary BiologicallyDerivedProduct BodyStructure Bundle CapabilityStatement CarePlan CareTeam CatalogEntry
    ChargeItem ChargeItemDefinition Claim ClaimResponse ClinicalImpression CodeSystem Communication
    CommunicationRequest CompartmentDefinition Composition ConceptMap Condition Consent Contract Coverage
    CoverageEligibilityRequest CoverageEligibilityResponse DetectedIssue Device DeviceDefinition DeviceMetric
    DeviceRequest DeviceUseStatement DiagnosticReport DocumentManifest DocumentReference EffectEvidenceSynthesis
    Encounter Endpoint EnrollmentRequest EnrollmentResponse EpisodeOfCare EventDefinition Evidence EvidenceVariable
    ExampleScenario ExplanationOfBenefit FamilyMemberHistory Flag Goal GraphDefinition Group GuidanceResponse
    HealthcareService ImagingStudy Immunization ImmunizationEvaluation ImmunizationRecommendation
    ImplementationGuide InsurancePlan Invoice Library Linkage List Location Measure MeasureReport Media Medication
    MedicationAdministration MedicationDispense MedicationKnowledge MedicationRequest MedicationStatement
    MedicinalProduct MedicinalProductAuthorization MedicinalProductContraindication MedicinalProductIndication
    MedicinalProductIngredient MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged
    MedicinalProductPharmaceutical MedicinalProductUndesirableEffect MessageDefinition MessageHeader
    MolecularSequence NamingSystem NutritionOrder Observation ObservationDefinition OperationDefinition
    OperationOutcome Organization OrganizationAffiliation Parameters Patient PaymentNotice PaymentReconciliation
    Person PlanDefinition Practitioner PractitionerRole Procedure Provenance Questionnaire QuestionnaireResponse
    RelatedPerson RequestGroup ResearchDefinition ResearchElementDefinition ResearchStudy ResearchSubject
    RiskAssessment RiskEvidenceSynthesis Schedule SearchParameter ServiceRequest Slot Specimen SpecimenDefinition
    StructureDefinition StructureMap Subscription Substance SubstanceNucleicAcid SubstancePolymer SubstanceProtein
    SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification SupplyDelivery SupplyRequest Task
    TerminologyCapabilities TestReport TestScript ValueSet VerificationResult VisionPrescription
    """.split()
)

CHOICES = frozenset(
    """
    ActivityDefinition.product ActivityDefinition.subject ActivityDefinition.timing AllergyIntolerance.onset
    ChargeItem.occurrence ChargeItem.product ClinicalImpression.effective CommunicationRequest.occurrence
    ConceptMap.source ConceptMap.target Condition.abatement Condition.onset Consent.source Contract.legallyBinding
    Contract.topic CoverageEligibilityRequest.serviced CoverageEligibilityResponse.serviced DetectedIssue.identified
    DeviceDefinition.manufacturer DeviceRequest.code DeviceRequest.occurrence DeviceUseStatement.timing
    DiagnosticReport.effective EventDefinition.subject FamilyMemberHistory.age FamilyMemberHistory.born
    FamilyMemberHistory.deceased Goal.start GuidanceResponse.module Immunization.occurrence
    ImmunizationEvaluation.doseNumber ImmunizationEvaluation.seriesDoses Library.subject Measure.subject
    Media.created MedicationAdministration.effective MedicationAdministration.medication
    MedicationDispense.medication MedicationDispense.statusReason MedicationRequest.medication
    MedicationRequest.reported MedicationStatement.effective MedicationStatement.medication MessageDefinition.event
    MessageHeader.event Observation.effective Observation.value Patient.deceased Patient.multipleBirth
    PlanDefinition.subject Procedure.performed Provenance.occurred ResearchDefinition.subject
    ResearchElementDefinition.subject RiskAssessment.occurrence ServiceRequest.asNeeded ServiceRequest.occurrence
    ServiceRequest.quantity SupplyDelivery.occurrence SupplyRequest.item SupplyRequest.occurrence
    """.split()
)
"""Elements that are called onsetDateTime, onsetAge and so on in JSON, and onset.ofType(dateTime) in a path."""
