"""The shop's carts, kept in memory."""

from collections import defaultdict

from flask import Flask, jsonify, request

app = Flask(__name__)
carts: dict[str, list[str]] = defaultdict(list)


@app.get("/healthz")
def healthz():
    return "", 204


@app.get("/<customer>")
def show(customer: str):
    return jsonify(carts[customer])


@app.post("/<customer>")
def add(customer: str):
    carts[customer].append(request.get_json()["product"])
    return jsonify(carts[customer]), 201
