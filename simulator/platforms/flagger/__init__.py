"""Flagger: canaries of Deployments behind a service mesh or an ingress."""
