"""Scans clean files with the official SDK (huaweicloudsdkhss 3.1.161): `scan_with_sdk.py ENDPOINT DIRECTORY`.

Its encoder writes a list of files as one text, so each upload carries one file.
"""

import sys
import time
from pathlib import Path

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.http.formdata import FormFile
from huaweicloudsdkhss import v5 as hss

endpoint, directory = sys.argv[1], Path(sys.argv[2])
client = (
    hss.HssClient.new_builder()
    .with_credentials(BasicCredentials("BENCHKEY", "benchsecret", "benchproject"))
    .with_endpoint(endpoint)
    .build()
)


def upload(file_type, path):
    with path.open("rb") as file:
        body = hss.BatchUploadFilesRequestBody(upload_type=file_type, files=FormFile(file))
        return client.batch_upload_files(hss.BatchUploadFilesRequest(body=body)).success_file_info[0].file_id


def scan(file_type, ids):
    info = hss.CreateTaskRequestBodyIacScanInfo(file_type=file_type, file_id_list=ids)
    body = hss.CreateTaskRequestBody(task_type="iac_scan", iac_scan_info=info)
    task = client.create_task(hss.CreateTaskRequest(body=body)).task_id
    body = hss.ListTasksRequestBody(task_type="iac_scan", task_id=task)
    while client.list_tasks(hss.ListTasksRequest(body=body)).data_list[0].task_status != "finished":
        time.sleep(0.1)


for file_type, name in [("dockerfile", "Dockerfile"), ("k8s_yaml", "config.yaml")]:
    ids = [upload(file_type, path) for path in sorted(directory.rglob(name))]
    for at in range(0, len(ids), 100):
        scan(file_type, ids[at : at + 100])
    for at in range(0, len(ids), 200):
        request = hss.ListIacFilesRequest(offset=at, limit=200, scan_type="manual_scan", file_type=file_type)
        client.list_iac_files(request)
