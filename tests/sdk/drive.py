"""Drives the stand-in through every operation on IaC files and on scans of clusters that the official SDK 3.1.219 has, but for the
export, which the stand-in does not serve. Each answer is held against what the SDK's models say of it. Prints how many operations it drove.

The second cluster's benchmark has to fail once. Usage: drive.py ENDPOINT PROJECT ACCESS_KEY SECRET_KEY IDS_AS_JSON
"""

import json
import sys
import time

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkhss import v5 as hss

SCAN_TYPES = ["cluster_vul", "risk_assessment", "benchmark"]
DRIVEN = []


class Driver:
    def __init__(self, endpoint, project, access_key, secret_key):
        credentials = BasicCredentials(access_key, secret_key, project)
        self.client = hss.HssClient.new_builder().with_credentials(credentials).with_endpoint(endpoint).build()

    def call(self, operation, **fields):
        name = "".join(word.capitalize() for word in operation.split("_"))
        answer = getattr(self.client, operation)(getattr(hss, f"{name}Request")(**fields))
        DRIVEN.append(operation)
        return answer

    def task(self, task_type, task_id):
        """The row of a task, once it has finished."""
        body = hss.ListTasksRequestBody(task_type=task_type, task_id=task_id, sort_key="start_time", sort_dir="desc")
        for _ in range(200):
            rows = self.call("list_tasks", body=body, limit=10, offset=0).data_list
            if rows and rows[0].task_status == "finished":
                (row,) = rows
                assert (row.task_id, row.task_type, row.trigger_type) == (task_id, task_type, "manual"), row
                return row
            time.sleep(0.05)
        raise AssertionError(f"{task_id} does not finish")

    def files(self, file_type, file_id):
        info = hss.CreateTaskRequestBodyIacScanInfo(file_type=file_type, file_id_list=[file_id])
        body = hss.CreateTaskRequestBody(task_type="iac_scan", iac_scan_info=info)
        task_id = self.call("create_task", body=body).task_id
        row = self.task("iac_scan", task_id)
        counts = row.iac_scan_info
        assert (counts.scan_file_num, counts.success_file_num, counts.failed_file_num) == (1, 1, 0), counts
        body = hss.ListTaskResourcesRequestBody(
            task_type="iac_scan", iac_scan_info=hss.ListTaskResourcesRequestBodyIacScanInfo(scan_status="success")
        )
        resources = self.call("list_task_resources", task_id=task_id, body=body, limit=10, offset=0)
        (resource,) = resources.iac_scan_data_list
        assert (resources.total_num, resource.file_id, resource.file_type) == (1, file_id, file_type), resource
        listing = self.call("list_iac_files", offset=0, limit=10, scan_type="manual_scan", file_id=file_id, risky=True)
        (file,) = listing.data_list
        assert file.risky and file.risk_num > 0 and file.last_scan_time > 0, file
        risks = self.call("list_iac_file_risks", offset=0, limit=10, file_id=file_id).data_list
        assert risks and all(risk.risk_level in ("high", "medium", "low", "tips") for risk in risks), risks
        high = [risk for risk in risks if risk.risk_level == "high"]
        listed = self.call("list_iac_file_risks", offset=0, limit=10, file_id=file_id, risk_level="high")
        assert listed.total_num == len(high) > 0, listed
        paths = self.call("list_iac_file_risk_paths", offset=0, limit=10, file_id=file_id, rule_id=high[0].rule_id)
        if file_type == "k8s_yaml":
            place = paths.data_list[0]
            assert (place.resource_type, place.resource_name, place.namespace) == ("Pod", "web", "shop"), place
        else:
            assert high[0].build_instruction, high[0]
        assert self.call("show_task_statistics", task_type="iac_scan").total_num >= 1

    def clusters(self, range_type, ids):
        info = hss.CreateTaskRequestBodyClusterScanInfo(
            scan_type_list=SCAN_TYPES, range_type=range_type, cluster_id_list=ids
        )
        body = hss.CreateTaskRequestBody(task_type="cluster_scan", cluster_scan_info=info)
        task_id = self.call("create_task", body=body).task_id
        counts = self.task("cluster_scan", task_id).cluster_scan_info
        assert counts.scan_type_list == SCAN_TYPES, counts
        assert (counts.scanning_cluster_num, counts.failed_cluster_num) == (0, 1), counts
        failed = hss.ListTaskResourcesRequestBodyClusterScanInfo(scan_status="failed", cluster_type="cce")
        body = hss.ListTaskResourcesRequestBody(task_type="cluster_scan", cluster_scan_info=failed)
        (cluster,) = self.call("list_task_resources", task_id=task_id, body=body, limit=10, offset=0).cluster_scan_data_list
        details = {scan.scan_type: (scan.status, scan.failed_reason) for scan in cluster.scan_detail_list}
        assert list(details) == SCAN_TYPES and details["benchmark"] == ("failed", "the cluster can't be reached"), cluster
        return task_id, cluster.cluster_id

    def retry(self, task_id, info):
        body = hss.RetryTaskRequestBody(task_type="cluster_scan", cluster_scan_info=info)
        self.call("retry_task", task_id=task_id, body=body)
        counts = self.task("cluster_scan", task_id).cluster_scan_info
        assert counts.failed_cluster_num == 0, counts
        assert self.call("show_task_statistics", task_type="cluster_scan").running_num == 0


def told():
    return f"{len(set(DRIVEN))} operations driven in {len(DRIVEN)} calls: {', '.join(sorted(set(DRIVEN)))}"


def main():
    *place, ids = sys.argv[1:]
    driver = Driver(*place)
    for file_type, file_id in json.loads(ids).items():
        driver.files(file_type, file_id)
    task_id, _ = driver.clusters("all_cluster", None)
    driver.retry(task_id, hss.RetryTaskRequestBodyClusterScanInfo(range_type="all_failed_cluster"))
    task_id, failed = driver.clusters("specific_cluster", ["stand-in-cluster-2"])
    one = hss.RetryTaskRequestBodyClusterScanInfoClusterInfoList(cluster_id=failed, scan_type_list=["benchmark"])
    driver.retry(
        task_id, hss.RetryTaskRequestBodyClusterScanInfo(range_type="specific_cluster", cluster_info_list=[one])
    )
    print(told())


if __name__ == "__main__":
    main()
