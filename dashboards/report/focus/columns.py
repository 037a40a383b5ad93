"""The columns of the file, in order, with their types: those of FOCUS 1.2 and, after them, our own (`x_`)."""

from __future__ import annotations

FOCUS_VERSION = "1.2"

_STRINGS_AND_REST = """
AvailabilityZone BilledCost:Decimal BillingAccountId BillingAccountName BillingAccountType BillingCurrency
BillingPeriodEnd:Date/Time BillingPeriodStart:Date/Time CapacityReservationId CapacityReservationStatus ChargeCategory
ChargeClass ChargeDescription ChargeFrequency ChargePeriodEnd:Date/Time ChargePeriodStart:Date/Time
CommitmentDiscountCategory CommitmentDiscountId CommitmentDiscountName CommitmentDiscountQuantity:Decimal
CommitmentDiscountStatus CommitmentDiscountType CommitmentDiscountUnit ConsumedQuantity:Decimal ConsumedUnit
ContractedCost:Decimal ContractedUnitPrice:Decimal EffectiveCost:Decimal InvoiceId InvoiceIssuerName ListCost:Decimal
ListUnitPrice:Decimal PricingCategory PricingCurrency PricingCurrencyContractedUnitPrice:Decimal
PricingCurrencyEffectiveCost:Decimal PricingCurrencyListUnitPrice:Decimal PricingQuantity:Decimal PricingUnit ProviderName
PublisherName RegionId RegionName ResourceId ResourceName ResourceType ServiceCategory ServiceName ServiceSubcategory SkuId
SkuMeter SkuPriceDetails:JSON SkuPriceId SubAccountId SubAccountName SubAccountType Tags:JSON
x_CostBasis x_CoveredShare:Decimal x_IdleCost:Decimal x_OnDemandEquivalentCost:Decimal x_PurchaseOption x_ServingMode
x_SplitMethod x_SplitShare:Decimal x_Team x_Workload
"""

TYPES: dict[str, str] = {
    name: kind or "String" for name, _, kind in (entry.partition(":") for entry in _STRINGS_AND_REST.split())
}
COLUMNS = tuple(TYPES)
