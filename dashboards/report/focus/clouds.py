"""What the clouds call themselves, their regions and the services that models run on."""

from __future__ import annotations

PROVIDERS = {"aws": "AWS", "gcp": "Google Cloud", "azure": "Microsoft", "runpod": "Runpod"}

MACHINES = {
    "aws": "Amazon Elastic Compute Cloud",
    "gcp": "Compute Engine",
    "azure": "Virtual Machines",
}

SERVERLESS = {
    "lambda": "AWS Lambda",
    "lambda_arm": "AWS Lambda",
    "cloud_run": "Cloud Run",
    "cloud_run_l4": "Cloud Run",
    "functions_consumption": "Azure Functions",
}

REGIONS = {
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-west-2": "US West (Oregon)",
    "eu-west-1": "Europe (Ireland)",
    "eu-central-1": "Europe (Frankfurt)",
    "us-central1": "Iowa",
    "europe-west1": "Belgium",
    "eastus": "East US",
    "westeurope": "West Europe",
}


def provider(cloud: str) -> str:
    """The name on the invoice; a cloud that is not known by heart keeps its own."""
    return PROVIDERS.get(cloud, cloud)


def service(cloud: str, sku: str, *, serverless: bool) -> str:
    """The service that is billed."""
    return SERVERLESS.get(sku, sku) if serverless else MACHINES.get(cloud, f"{provider(cloud)} virtual machines")


def region_name(region: str) -> str:
    """The region in words, where they are known; its id otherwise."""
    return REGIONS.get(region, region)
