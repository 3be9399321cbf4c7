#!/bin/bash
exec ./qdrant --data /qdrant/storage --host 0.0.0.0
