# Sourced by the executables beside it: leaves the project folder as the working directory and a Python >= 3.11 in $python.
unset CDPATH PYTHONPATH PYTHONHOME PYTHONSAFEPATH
cd -- "$(dirname -- "$0")/.."
python=
for candidate in "${PYTHON:-python3}" python3 python3.13 python3.12 python3.11 python3.14 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "Cuohe needs Python 3.11 or newer, and none was found on this machine." >&2
    echo "Install one (Debian, Ubuntu: apt-get install python3 python3-venv; macOS: brew install python@3.13)" >&2
    echo "or name it: PYTHON=/path/to/python3 $0" >&2
    exit 1
fi
