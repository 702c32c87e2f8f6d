# SPDX-License-Identifier: Apache-2.0
"""The part of SARIF 2.1.0 that offshoot writes, as the OASIS standard defines it, and nothing besides: a property that the
standard does not know is refused, and so is one that it has and this file does not name yet."""


def obj(required, **properties):
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def many(items, **more):
    return {"type": "array", "items": items, **more}


TEXT = {"type": "string"}
URI = {"type": "string", "format": "uri-reference"}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
MESSAGE = obj([], text={"type": "string", "minLength": 1})  # "text" or "id" has to be there: we write texts
REGION = obj([], startLine={"type": "integer", "minimum": 1}, startColumn={"type": "integer", "minimum": 1})
PHYSICAL = obj([], artifactLocation=obj([], uri=URI, uriBaseId=TEXT), region=REGION)
LOCATIONS = many(obj([], physicalLocation=PHYSICAL))
RULE = obj(["id"], id=TEXT, name=TEXT)
DRIVER = obj(["name"], name=TEXT, version=TEXT, informationUri={"type": "string", "format": "uri"},
             rules=many(RULE, uniqueItems=True))
NOTIFICATION = obj(["message"], level=LEVEL, message={**MESSAGE, "required": ["text"]}, locations=LOCATIONS)
INVOCATION = obj(["executionSuccessful"], executionSuccessful={"type": "boolean"},
                 toolExecutionNotifications=many(NOTIFICATION))
RESULT = obj(["message"], ruleId=TEXT, ruleIndex={"type": "integer", "minimum": -1}, level=LEVEL,
             message={**MESSAGE, "required": ["text"]}, locations=LOCATIONS,
             properties={"type": "object"})
RUN = obj(["tool"], tool=obj(["driver"], driver=DRIVER), automationDetails=obj([], id=TEXT),
          invocations=many(INVOCATION), columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]}, results=many(RESULT))
LOG = obj(["version", "runs"], **{"$schema": {"type": "string", "format": "uri"}}, version={"enum": ["2.1.0"]},
          runs=many(RUN))
