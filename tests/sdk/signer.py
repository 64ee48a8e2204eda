"""Signs requests again with the signer of the official SDK and compares. Prints how many agree.

Usage: signer.py FILE, which holds a list of {method, path, query: [[name, value]], headers, body, ak, sk, authorization}.
"""

import json
import sys

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        requests = json.load(file)
    for nth, request in enumerate(requests):
        headers = dict(request["headers"])
        signed = SdkRequest(
            method=request["method"],
            schema="https",
            host=headers["Host"],
            resource_path=request["path"],
            query_params=[tuple(pair) for pair in request["query"]],
            header_params=headers,
            body=request["body"],
        )
        signed = Signer(BasicCredentials(request["ak"], request["sk"], "p")).sign(signed)
        theirs = signed.header_params["Authorization"]
        assert theirs == request["authorization"], f"request {nth}: {request}\ntheirs: {theirs}"
    print(f"{len(requests)} signatures agree")


main()
