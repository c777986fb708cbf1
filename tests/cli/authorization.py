"""A person authorizes a credential: what the tests of that share."""
import json

from command import CommandTest
from stand_in_oauth import REDIRECT_URI

CODE = "Zq7-code-never-shown"
ADDRESS = f"{REDIRECT_URI}?state=St-1&code={CODE}"
QUESTION = "Address that the browser was sent to (not shown): "


class AuthorizationTest(CommandTest):
    def inbox(self, status="pending"):
        return self.broker.put("mail", "inbox \u00fc", {}, auth="oauth2", status=status)

    def begun(self):
        """What was asked for, and how often."""
        return [json.loads(a["body"]) for a in self.broker.asked
                if (a["method"], a["target"]) == ("POST", "/v1/oauth/authorizations")]

    def completed(self):
        return [json.loads(a["body"]) for a in self.broker.asked if a["target"].endswith("/complete")]
