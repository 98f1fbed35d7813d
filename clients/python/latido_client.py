# Latido 0.4.0: client of the API for features. Made by "npm run clients" from /api/openapi.json; not to be edited.
import json
import math
import sys
from array import array
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

BINARY = "application/vnd.latido.features"


class LatidoApiError(Exception):
    """What the API answered instead. code is of the list in docs/errors.md; status 0 says that nothing was answered."""

    def __init__(self, status: int, code: str, message: str, action: str) -> None:
        super().__init__(f"{message}: {action} [{code}]")
        self.status = status
        self.code = code
        self.message = message
        self.action = action


@dataclass(frozen=True)
class ErrorAnswer:
    error: Any

    @classmethod
    def from_json(cls, o: Any) -> "ErrorAnswer":
        return cls(error=o["error"])


@dataclass(frozen=True)
class FeatureQuery:
    """Which features of which entities: either features or service."""
    entities: List[str]
    # features by name; a view stands for all of its
    features: Optional[List[str]] = None
    # a feature service: a named list of features
    service: Optional[str] = None

    @classmethod
    def from_json(cls, o: Any) -> "FeatureQuery":
        return cls(entities=o["entities"], features=o.get("features"), service=o.get("service"))


@dataclass(frozen=True)
class FeatureColumns:
    view: str
    version: int
    # time to live, milliseconds
    ttl_ms: int
    features: List[str]
    # for each entity: when its row was computed, milliseconds since 1970 UTC; null where nothing was ever stored
    as_of: List[Optional[int]]
    state: List[str]
    # Values, for each entity in the order asked a row in the order of features; null where absent
    values: List[List[Optional[float]]]
    # When the oldest reading behind each value was true at the bedside, milliseconds since 1970 UTC, for each entity in the order asked a row in the order of features; null where absent
    event_times: List[List[Optional[float]]]
    # How long ago that was, milliseconds, for each entity in the order asked a row in the order of features; null where absent
    ages_ms: List[List[Optional[float]]]

    @classmethod
    def from_json(cls, o: Any) -> "FeatureColumns":
        return cls(view=o["view"], version=o["version"], ttl_ms=o["ttlMs"], features=o["features"], as_of=o["asOf"], state=o["state"], values=o["values"], event_times=o["eventTimes"], ages_ms=o["agesMs"])


@dataclass(frozen=True)
class OnlineFeatures:
    """Columns: names once for each view, then a row for each entity."""
    # ages and times to live hold as of then
    now: int
    # kind of the entities
    entity: str
    entities: List[str]
    views: List[FeatureColumns]

    @classmethod
    def from_json(cls, o: Any) -> "OnlineFeatures":
        return cls(now=o["now"], entity=o["entity"], entities=o["entities"], views=[FeatureColumns.from_json(i) for i in o["views"]])


@dataclass(frozen=True)
class ServedFeature:
    name: str
    # UCUM
    unit: str
    present: bool
    reason: str
    value: Optional[float]
    event_time: Optional[float]
    age_ms: Optional[float]

    @classmethod
    def from_json(cls, o: Any) -> "ServedFeature":
        return cls(name=o["name"], unit=o["unit"], present=o["present"], reason=o["reason"], value=o["value"], event_time=o["eventTime"], age_ms=o["ageMs"])


@dataclass(frozen=True)
class ServedView:
    view: str
    version: int
    as_of: Optional[int]
    features: List[ServedFeature]

    @classmethod
    def from_json(cls, o: Any) -> "ServedView":
        return cls(view=o["view"], version=o["version"], as_of=o["asOf"], features=[ServedFeature.from_json(i) for i in o["features"]])


@dataclass(frozen=True)
class EntityFeatures:
    # milliseconds since 1970 UTC
    now: int
    entity: str
    key: str
    views: List[ServedView]

    @classmethod
    def from_json(cls, o: Any) -> "EntityFeatures":
        return cls(now=o["now"], entity=o["entity"], key=o["key"], views=[ServedView.from_json(i) for i in o["views"]])


@dataclass(frozen=True)
class FeatureOfView:
    name: str
    # UCUM
    unit: str

    @classmethod
    def from_json(cls, o: Any) -> "FeatureOfView":
        return cls(name=o["name"], unit=o["unit"])


@dataclass(frozen=True)
class FeatureView:
    name: str
    version: int
    entity: str
    owner: str
    description: str
    ttl_ms: int
    features: List[FeatureOfView]

    @classmethod
    def from_json(cls, o: Any) -> "FeatureView":
        return cls(name=o["name"], version=o["version"], entity=o["entity"], owner=o["owner"], description=o["description"], ttl_ms=o["ttlMs"], features=[FeatureOfView.from_json(i) for i in o["features"]])


@dataclass(frozen=True)
class FeatureService:
    name: str
    description: str
    features: List[str]

    @classmethod
    def from_json(cls, o: Any) -> "FeatureService":
        return cls(name=o["name"], description=o["description"], features=o["features"])


@dataclass(frozen=True)
class Health:
    status: str
    version: str

    @classmethod
    def from_json(cls, o: Any) -> "Health":
        return cls(status=o["status"], version=o["version"])


@dataclass(frozen=True)
class BinaryColumns:
    """One view's columns of the binary form. values and event_times are entity-major: feature f of entity e is at e * len(features) + f. NaN is absent."""
    view: str
    version: int
    ttl_ms: int
    features: List[str]
    # When each entity's row was computed; NaN where nothing was ever stored.
    as_of: "array[float]"
    values: "array[float]"
    event_times: "array[float]"


class FeatureBatch:
    """An answer in the binary form, decoded without an object for each value."""

    def __init__(self, data: bytes, entities: List[str]) -> None:
        if len(data) < 8 or data[:4] != b"LTF1":
            raise LatidoApiError(0, "PAYLOAD_INVALID", "the answer is not in the binary form", "look for a proxy in between")
        at = 8 + int.from_bytes(data[4:8], "little")
        head = json.loads(data[8:at])
        doubles = array("d")
        doubles.frombytes(data[at:])
        if sys.byteorder == "big":
            doubles.byteswap()
        self.now: int = head["now"]
        self.entity: str = head["entity"]
        self.entities = entities
        self.views: List[BinaryColumns] = []
        self._places: Dict[str, Tuple[BinaryColumns, int]] = {}
        count = head["entities"]
        start = 0
        for v in head["views"]:
            cells = count * len(v["features"])
            ends = (start + count, start + count + cells, start + count + 2 * cells)
            columns = BinaryColumns(v["view"], v["version"], v["ttlMs"], v["features"], doubles[start:ends[0]], doubles[ends[0]:ends[1]], doubles[ends[1]:ends[2]])
            start = ends[2]
            self.views.append(columns)
            for f, feature in enumerate(columns.features):
                self._places[f"{columns.view}:{feature}"] = (columns, f)

    def value(self, e: int, feature: str) -> Optional[float]:
        """The value of feature "view:feature" of entity number e; None where absent."""
        columns, f = self._place(feature)
        return _or_none(columns.values[e * len(columns.features) + f])

    def event_time(self, e: int, feature: str) -> Optional[float]:
        """When the oldest reading behind it was true at the bedside."""
        columns, f = self._place(feature)
        return _or_none(columns.event_times[e * len(columns.features) + f])

    def age_ms(self, e: int, feature: str) -> Optional[float]:
        """How long ago that was."""
        time = self.event_time(e, feature)
        return None if time is None else max(0, self.now - time)

    def _place(self, feature: str) -> Tuple[BinaryColumns, int]:
        place = self._places.get(feature)
        if place is None:
            raise LatidoApiError(0, "FEATURE_UNKNOWN", f"{feature} is not in this batch", f"it has {', '.join(self._places)}")
        return place

    def to_online_features(self) -> "OnlineFeatures":
        """The same as the answer in JSON."""
        return OnlineFeatures(now=self.now, entity=self.entity, entities=self.entities, views=[self._columns(v) for v in self.views])

    def _columns(self, v: BinaryColumns) -> "FeatureColumns":
        width = len(v.features)

        def rows(of: "array[float]") -> List[List[Optional[float]]]:
            return [[_or_none(x) for x in of[e * width:(e + 1) * width]] for e in range(len(self.entities))]

        def state(as_of: float) -> str:
            return "never-stored" if math.isnan(as_of) else "expired" if self.now - as_of > v.ttl_ms else "served"

        times = rows(v.event_times)
        return FeatureColumns(
            view=v.view, version=v.version, ttl_ms=v.ttl_ms, features=v.features, as_of=[None if math.isnan(t) else int(t) for t in v.as_of], state=[state(t) for t in v.as_of],
            values=rows(v.values), event_times=times, ages_ms=[[None if t is None else max(0, self.now - t) for t in row] for row in times])


def _or_none(value: float) -> Optional[float]:
    return None if math.isnan(value) else value


def _quote(text: str) -> str:
    return quote(text, safe="")


def _query(query: Dict[str, Optional[str]]) -> str:
    given = {name: value for name, value in query.items() if value is not None}
    return "" if not given else "?" + urlencode(given)


class LatidoClient:
    """The API for features. Every call raises LatidoApiError where it is not answered as asked."""

    def __init__(self, base_url: str, timeout_s: float = 10.0, headers: Optional[Dict[str, str]] = None) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._headers = dict(headers or {})

    def read_features(self, entities: Sequence[str], features: Optional[Sequence[str]] = None, service: Optional[str] = None) -> OnlineFeatures:
        """Features of a batch of entities, as of now"""
        answer = self._json("POST", f"/api/features/online", {"entities": None if entities is None else list(entities), "features": None if features is None else list(features), "service": service})
        return OnlineFeatures.from_json(answer)

    def read_features_binary(self, entities: Sequence[str], features: Optional[Sequence[str]] = None, service: Optional[str] = None) -> FeatureBatch:
        """Features of a batch of entities, as of now, in the binary form: several times faster to read"""
        entities = list(entities)
        return FeatureBatch(self._send("POST", f"/api/features/online", {"entities": None if entities is None else list(entities), "features": None if features is None else list(features), "service": service}, BINARY), entities)

    def read_entity_features(self, entity: str, features: Optional[str] = None, service: Optional[str] = None) -> EntityFeatures:
        """Features of one entity, as of now, each with the reason where it is absent"""
        answer = self._json("GET", f"/api/features/online/{_quote(entity)}" + _query({"features": features, "service": service}), None)
        return EntityFeatures.from_json(answer)

    def list_feature_views(self) -> List[FeatureView]:
        """The views that are served"""
        answer = self._json("GET", f"/api/features/views", None)
        return [FeatureView.from_json(i) for i in answer]

    def get_feature_view(self, view: str) -> FeatureView:
        """One view"""
        answer = self._json("GET", f"/api/features/views/{_quote(view)}", None)
        return FeatureView.from_json(answer)

    def list_feature_services(self) -> List[FeatureService]:
        """The feature services: named lists of features"""
        answer = self._json("GET", f"/api/features/services", None)
        return [FeatureService.from_json(i) for i in answer]

    def get_health(self) -> Health:
        """200 once features are served, 503 before"""
        answer = self._json("GET", f"/healthz", None)
        return Health.from_json(answer)

    def _json(self, method: str, path: str, body: Optional[Dict[str, Any]]) -> Any:
        return json.loads(self._send(method, path, body, "application/json"))

    def _send(self, method: str, path: str, body: Optional[Dict[str, Any]], accept: str) -> bytes:
        headers = {**self._headers, "accept": accept}
        data = None
        if body is not None:
            headers["content-type"] = "application/json"
            data = json.dumps({name: value for name, value in body.items() if value is not None}).encode()
        try:
            with urlopen(Request(self._base_url + path, data=data, headers=headers, method=method), timeout=self._timeout_s) as response:
                return bytes(response.read())
        except HTTPError as refused:
            with refused:
                text = refused.read()
            try:
                error = json.loads(text)["error"]
            except (ValueError, KeyError, TypeError):
                error = {}
            raise LatidoApiError(refused.code, error.get("code", "UNKNOWN"), error.get("message", f"status {refused.code}"), error.get("action", "look at the server, and at proxies before it")) from None
        except (URLError, OSError) as cause:
            raise LatidoApiError(0, "UNREACHABLE", "the API does not answer", "look at the server, and at the network to it") from cause
