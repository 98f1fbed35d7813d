"""Calls every method of the Python client and prints what came, as JSON: check_client.py FOLDER URL"""
import dataclasses
import json
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from latido_client import LatidoApiError, LatidoClient  # noqa: E402

client = LatidoClient(sys.argv[2] + "/")


def refusal(call):
    try:
        call()
    except LatidoApiError as e:
        return [e.status, e.code, e.message, e.action]
    return None


columns = client.read_features(("anna", "ben", "nobody"), features=("numerics", "blood@2:lactateLast"))
batch = client.read_features_binary(("anna", "ben", "nobody"), features=["numerics", "blood@2:lactateLast"])
print(json.dumps({
    "columns": dataclasses.asdict(columns),
    "same": columns == batch.to_online_features(),
    "service": client.read_features(["anna"], service="both").views[0].values,
    "batch": [batch.value(0, "numerics:heartRateLast"), batch.event_time(0, "numerics:heartRateLast"), batch.age_ms(0, "numerics:heartRateLast"), batch.value(0, "numerics:spo2Last"), batch.age_ms(2, "blood:lactateLast")],
    "one": dataclasses.asdict(client.read_entity_features("anna", features="blood:creatinineLast")),
    "views": [dataclasses.asdict(v) for v in client.list_feature_views()],
    "view": client.get_feature_view("blood").version,
    "services": [dataclasses.asdict(s) for s in client.list_feature_services()],
    "health": client.get_health().status,
    "refused": refusal(lambda: client.read_features(["anna"], features=["blod"])),
    "unknown": refusal(lambda: client.read_entity_features("no/body?", service="both")),
    "binary refused": refusal(lambda: client.read_features_binary(["anna"], service="boht")),
    "not in it": refusal(lambda: batch.value(0, "numerics:pulse")),
    "away": refusal(lambda: LatidoClient("http://127.0.0.1:1").get_health()),
}))
