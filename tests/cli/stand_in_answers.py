"""What every part of the stand-in answers with."""
import datetime


def moment(seconds):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (at.microsecond // 1000)


class Refusal(Exception):
    def __init__(self, status, code, detail, **more):
        super().__init__(detail)
        self.status = status
        self.body = {"type": "about:blank", "title": "Refused", "status": status, "detail": detail, "code": code,
                     "request_id": "req_1", **more}
