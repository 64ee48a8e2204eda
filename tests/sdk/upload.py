"""Uploads a Dockerfile and a manifest with the official SDK 3.1.161, the last that has the upload, and drives with it what it knows of
files. Prints their ids as JSON, and how many operations it drove.

The encoder of that SDK sends one file a call: given a list, it writes the list's Python text into the body.

Usage: upload.py ENDPOINT PROJECT ACCESS_KEY SECRET_KEY
"""

import json
import pathlib
import sys
import tempfile

from drive import Driver, told
from huaweicloudsdkcore.http.formdata import FormFile
from huaweicloudsdkhss.v5 import BatchUploadFilesRequestBody

FILES = {
    "dockerfile": ("Dockerfile", "FROM debian:latest\nUSER root\n"),
    "k8s_yaml": (
        "pod.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  containers:\n"
        "  - name: web\n    image: registry.example/web:1.2.3\n    securityContext:\n      privileged: true\n",
    ),
}


def main():
    driver = Driver(*sys.argv[1:])
    ids = {}
    with tempfile.TemporaryDirectory() as directory:
        for upload_type, (name, text) in FILES.items():
            path = pathlib.Path(directory) / name
            path.write_text(text)
            with path.open("rb") as file:
                body = BatchUploadFilesRequestBody(upload_type=upload_type, files=FormFile(file))
                answer = driver.call("batch_upload_files", body=body)
            assert not answer.fail_file_info, answer
            (uploaded,) = answer.success_file_info
            assert uploaded.file_name == name, uploaded
            ids[upload_type] = uploaded.file_id
    for file_type, file_id in ids.items():
        driver.files(file_type, file_id)
    print(json.dumps(ids))
    print(told())


main()
