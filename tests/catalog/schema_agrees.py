#!/usr/bin/env python3
"""The schema's verdict on every built-in service and on each of the told cases: the reader's test gives the other half.

Usage: schema_agrees.py SCHEMA SERVICES_FOLDER ENTRY_CASES MORE_CASES…. Exit code 77 where the Python module jsonschema is missing.
"""
import copy
import json
import pathlib
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    print("skipped: the Python module jsonschema is missing (Debian: python3-jsonschema)")
    sys.exit(77)


def changed(entry, case):
    entry = copy.deepcopy(entry)
    pointer = case.get("at", case.get("remove"))
    if pointer is None:
        return entry
    if pointer == "":
        return case["value"]
    *way, last = pointer[1:].split("/")
    parent = entry
    for step in way:
        parent = parent[int(step) if isinstance(parent, list) else step]
    last = int(last) if isinstance(parent, list) else last
    if "remove" in case:
        del parent[last]
    else:
        parent[last] = case["value"]
    return entry


def main(schema_path, services, *cases_paths):
    schema = json.loads(pathlib.Path(schema_path).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    allows = Draft202012Validator(schema).is_valid
    wrong = []

    entries = sorted(pathlib.Path(services).glob("*.json"))
    wrong += [f"{path.name} does not fit the schema" for path in entries
              if not allows(json.loads(path.read_text(encoding="utf-8")))]

    told = [json.loads(pathlib.Path(path).read_text(encoding="utf-8")) for path in cases_paths]
    for base, case in ((one["base"], case) for one in told for case in one["cases"]):
        refused = not allows(changed(base, case))
        if refused != (case["refused_by"] == "both"):
            wrong.append(f"{case['case']}: {'refused' if refused else 'allowed'} by the schema")

    too_many = copy.deepcopy(told[0]["base"])
    too_many["auth"][0]["fields"] += [{"name": f"f{i}", "type": "string", "label": "F"} for i in range(24)]
    if allows(too_many):
        wrong.append("33 fields are allowed by the schema")

    for line in wrong:
        print(line)
    print(f"{len(entries)} services, {sum(len(one['cases']) for one in told) + 1} cases, {len(wrong)} wrong")
    return 1 if wrong or not entries else 0


sys.exit(main(*sys.argv[1:]))
