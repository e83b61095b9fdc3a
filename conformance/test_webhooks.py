"""Registry webhooks through the client. Nothing is sent: what is delivered is tested beside the registry."""

import uuid

import pytest
from mlflow.entities.webhook import WebhookAction, WebhookEntity, WebhookEvent, WebhookStatus
from mlflow.exceptions import MlflowException

CREATED = WebhookEvent(WebhookEntity.MODEL_VERSION, WebhookAction.CREATED)
MOVED = WebhookEvent(WebhookEntity.MODEL_VERSION_ALIAS, WebhookAction.CREATED)
# A public address, so that it may be one; nobody is called, as the webhook is switched off.
URL = "https://8.8.8.8/hook"


@pytest.fixture
def hook_name():
    return f"hook-{uuid.uuid4().hex[:12]}"


def test_a_webhook_from_creation_to_deletion(client, hook_name):
    created = client.create_webhook(hook_name, URL, [CREATED], description="tells", secret="quiet", status=WebhookStatus.DISABLED)
    assert (created.name, created.url, created.events, created.status, created.description) == (hook_name, URL, [CREATED], WebhookStatus.DISABLED, "tells")
    assert created.secret is None
    client.update_webhook(created.webhook_id, name=f"{hook_name}-new", events=[CREATED, MOVED])
    found = client.get_webhook(created.webhook_id)
    assert found.name == f"{hook_name}-new" and set(found.events) == {CREATED, MOVED}
    assert created.webhook_id in [hook.webhook_id for hook in client.list_webhooks(max_results=1000)]
    client.delete_webhook(created.webhook_id)
    with pytest.raises(MlflowException, match=f"Webhook with ID {created.webhook_id} not found"):
        client.get_webhook(created.webhook_id)


def test_webhooks_are_listed_page_by_page(client, hook_name):
    made = [client.create_webhook(f"{hook_name}-{index}", URL, [CREATED], status=WebhookStatus.DISABLED).webhook_id for index in range(3)]
    found, token = [], None
    while True:
        page = client.list_webhooks(max_results=2, page_token=token)
        found += [hook.webhook_id for hook in page]
        token = page.token
        if not token:
            break
    assert set(made) <= set(found) and len(found) == len(set(found))
    for webhook_id in made:
        client.delete_webhook(webhook_id)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("http://8.8.8.8/hook", "Allowed schemes are: https"),
        ("https://127.0.0.1/hook", "must not resolve to a non-public IP address"),
        ("https://169.254.169.254/latest/meta-data", "must not resolve to a non-public IP address"),
        ("https://[::1]/hook", "must not resolve to a non-public IP address"),
        (" ", "cannot be empty"),
    ],
)
def test_addresses_that_nobody_may_be_made_to_call(client, hook_name, address, text):
    with pytest.raises(MlflowException, match=text):
        client.create_webhook(hook_name, address, [CREATED])


def test_bad_names_and_no_events_are_refused(client, hook_name):
    with pytest.raises(MlflowException, match="is invalid"):
        client.create_webhook("-bad-", URL, [CREATED])
    with pytest.raises(MlflowException, match="events"):
        client.create_webhook(hook_name, URL, [])
