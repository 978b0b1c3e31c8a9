mod set_parameter;
